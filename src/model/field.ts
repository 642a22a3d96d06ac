// How the fields of records are typed, wherever a call takes the name of one. Types only.

/** The names of a record's fields. */
export type FieldOf<T> = keyof T & string

/** The names of a record's fields that are always numbers. */
export type NumberFieldOf<T> = { [F in FieldOf<T>]-?: T[F] extends number ? F : never }[FieldOf<T>]
