// What PostgreSQL and its driver say, in the words and codes of Millrace, with what to do about it.
import type { ErrorCode } from '../../base/error-codes.ts'
import { errorText, StreamError } from '../../base/errors.ts'

/** States of PostgreSQL that the sink itself acts on. */
export const SQL_STATE = {
  /** COMMIT PREPARED, or ROLLBACK PREPARED, of a name that is not there. */
  undefinedObject: '42704',
  /** Another connection is at the same prepared transaction. */
  notInPrerequisiteState: '55000',
  /** An INSERT ... ON CONFLICT met one row twice. */
  cardinalityViolation: '21000',
} as const

/** The five characters of an answer of the server; undefined for anything else, such as a lost connection. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  const isAnswer = error instanceof Error && 'severity' in error
  return isAnswer && typeof code === 'string' && code.length === 5 ? code : undefined
}

/** The error for what could not be done: `code` where the server refused it, SINK_FAILED where the connection was lost. */
export function postgresError(description: string, what: string, code: ErrorCode, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  const state = sqlStateOf(error)
  const isLost = state === undefined || isConnectionState(state)
  const found = state === undefined ? errorText(error) : `${errorText(error)}, state ${state}`
  const text = `${description}: ${what} (${found}); ${isLost ? lostAdvice(error, state) : advice(state)}`
  return new StreamError(isLost ? 'SINK_FAILED' : code, text, { cause: error })
}

/** Class 08 is of connections, 57P of a server that stops or ends them. */
function isConnectionState(state: string): boolean {
  return state.startsWith('08') || state.startsWith('57P')
}

function lostAdvice(error: unknown, state: string | undefined): string {
  if (state === '57P01')
    return 'the connection was ended by the server, or by a later attempt of the job; a restart goes on from the newest checkpoint'
  if (state === '57P03') return 'the server is starting or stopping: try again when it is up'
  const { code } = (error ?? {}) as { readonly code?: unknown }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return 'see that the server is up, and that host and port in the option connection are right'
  return 'the connection was lost; give the job a restart strategy and it goes on from the newest checkpoint'
}

function advice(state: string): string {
  switch (state) {
    case '28000':
    case '28P01':
      return 'correct user and password in the option connection'
    case '3D000':
      return 'create the database, or correct its name in the option connection'
    case '3F000':
    case '42P01':
      return 'create the table, or correct the options table and schema'
    case '42703':
      return 'add the column to the table, or correct the option columns'
    case '42501':
      return 'give the user of the option connection the right to do it (GRANT)'
    case '42P10':
      return 'give the table a unique index on exactly the key columns'
    case '53300':
      return 'raise max_connections: each subtask of the sink takes up to two'
    case '55P03':
      return 'another transaction holds a lock on the same rows, or a checkpoint before wrote the same unique key; end that transaction, or write each key once'
    case '23505':
      return 'write each key once, or replace what is there with mode idempotent'
    default:
      return byClass(state.slice(0, 2))
  }
}

function byClass(stateClass: string): string {
  switch (stateClass) {
    case '22':
    case '42':
      return 'let toRow return values that the columns take, in the order of the option columns'
    case '23':
      return 'drop such records before the sink, or change the constraint of the table'
    case '40':
      return 'the server broke the transaction off to let others go on; a restart writes it again'
    case '53':
      return 'give the server the resources that it asks for'
    default:
      return 'see to what the server says'
  }
}
