// The catalogue of error codes that a user can meet; docs/reference/errors.md explains each (a test compares the two).
// Codes are stable: a code may be added, never renamed or reused.

/** Every code of a StreamError with the situation in one line. */
export const ERROR_CODES = {
  INTERNAL_ERROR: 'An assertion of the engine failed.',
  GRAPH_INVALID: 'The job graph has one or more mistakes; all are listed.',
  JOB_NOT_EXECUTED: 'A script built sinks and never called execute().',
  JOB_EMPTY: 'execute() was called on a graph without sinks.',
  JOB_CANCELLED: 'The job was cancelled.',
  JOB_MODULE_FAILED: 'The module of a job could not be loaded, or its own code threw.',
  OPTION_INVALID: 'An option or argument of the API or the command line has a value that is not allowed.',
  USER_FUNCTION_FAILED: 'A function of the job threw.',
  USER_FUNCTION_RESULT: 'A function of the job returned a value of the wrong kind.',
  USER_FUNCTION_ASYNC: 'A function of the job returned a promise where a value is expected.',
  ASYNC_TIMEOUT: 'The asynchronous calls for a record took longer than they may.',
  KEY_UNDEFINED: 'A key selector returned undefined.',
  KEY_INVALID: 'A key selector returned a value that cannot be a key.',
  FIELD_NOT_NUMBER: 'An aggregation by field met a record whose field is not a number.',
  AGGREGATE_OVERFLOW: 'An aggregate would keep more values than its limit.',
  RETRACTION_UNMATCHED: 'A record was taken back that its key does not hold.',
  TIMESTAMP_MISSING: 'An event-time operation met a record without a timestamp.',
  TIMESTAMP_INVALID: 'A timestamp assigner returned something that is not a finite number.',
  RECORD_LATE: 'A record came too late for all its windows, and the windowing says that this fails the job.',
  TIME_ZONE_UNKNOWN: 'A calendar window names a time zone that is not known.',
  PARTITION_INVALID: 'A custom partitioner returned an index out of range.',
  STATE_UNBOUNDED: 'A step would keep state for ever, and nothing says that this is meant.',
  STATE_UNDECLARED: 'State was used that the operator does not declare, or outside a keyed context.',
  STATE_READ_ONLY: 'Broadcast state was changed outside onBroadcast.',
  OUTPUT_OVERFLOW: 'One record or one timer emitted more records than the limit.',
  WINDOW_OVERFLOW: 'A window keeps more records of one key than the limit.',
  FEEDBACK_OVERFLOW: 'A feedback edge holds more records than its limit.',
  CONNECTOR_UNKNOWN: 'A source or sink names a connector that this entry of Millrace does not have.',
  SOURCE_FAILED: 'A source failed while reading.',
  SINK_FAILED: 'A sink failed while writing.',

  FILE_NOT_FOUND: 'A file to read does not exist.',
  FILE_NOT_READABLE: 'A file to read is a directory, or may not be read.',
  LINE_TOO_LONG: 'A line of a text source is longer than the limit.',
  TEXT_INVALID: 'A text source that must be valid UTF-8 is not.',
  SOCKET_CONNECT_FAILED: 'The first connection to a socket could not be made.',
  SOCKET_LOST: 'A socket was lost and could not be connected again.',
} as const

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERROR_CODES
