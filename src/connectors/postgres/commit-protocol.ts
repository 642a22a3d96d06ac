// What the two ways of committing have in common: `two-phase` leaves it to the server, `ledger` needs nothing but tables.

/** A transaction that the server keeps prepared. */
export interface ServerTransaction {
  readonly kind: 'prepared'
  /** Its name at the server. */
  readonly name: string
  /** PostgreSQL's own id of it (64 bits, in decimal): tells later whether it was committed. */
  readonly serverId: string
}

/** Rows that are stored beside the table that they are for. */
export interface StagedTransaction {
  readonly kind: 'staged'
  readonly id: string
  /** The writer that staged it, and commits its transactions in order. */
  readonly writer: string
  readonly rows: number
  /** As they were when it was staged: options may change before it is committed. Names are not quoted. */
  readonly schema: string | null
  readonly table: string
  readonly columns: readonly string[]
  readonly staging: string
}

/** What a snapshot holds of a transaction of this sink. */
export type PostgresTransaction = ServerTransaction | StagedTransaction

/** Ends transactions that are open on the writer's first connection, and finishes them later on its second. */
export interface CommitProtocol {
  /** The table that the rows of an open transaction go to, quoted. */
  readonly target: string
  /** Makes ready what it needs in the database. */
  setUp(): Promise<void>
  /** In the open transaction, before its first row. */
  begun(): Promise<void>
  /** Ends the open transaction of so many rows: durable, and not seen. */
  prepare(snapshotId: number, rows: number): Promise<PostgresTransaction>
  /** Aborts what earlier attempts left and no snapshot holds. */
  abortLeftovers(startedFromId: number | undefined): Promise<void>
}
