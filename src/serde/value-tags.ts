// The bytes that say what follows, in the tagged codec of values. They are part of the snapshot format: a tag may be added, never changed.

// 0 is no tag: bytes that were never written do not pass for values.
export const UNDEFINED = 0x01
export const NULL = 0x02
export const FALSE = 0x03
export const TRUE = 0x04
/** A whole number from 0: a varint. */
export const INTEGER = 0x05
/** A whole number below 0: the varint of what it is below -1. */
export const NEGATIVE = 0x06
/** Any other number, -0 among them: 8 bytes, little-endian. */
export const FLOAT = 0x07
/** A length in bytes, then the bytes, the lowest first. */
export const BIGINT = 0x08
/** A bigint below 0, as what it is below -1. */
export const NEGATIVE_BIGINT = 0x09
/** A length, then a byte for each UTF-16 unit: all are below 256. */
export const LATIN1 = 0x0a
/** A length in units, then two bytes for each UTF-16 unit, little-endian: lone surrogates stay what they are. */
export const UTF16 = 0x0b
/** Epoch ms as a float; NaN for the date that is none. */
export const DATE = 0x0c
/** A Uint8Array: a length, then the bytes. */
export const BYTES = 0x0d
/** Another typed array: a byte for its type, a length in elements, then the elements, little-endian. */
export const TYPED_ARRAY = 0x0e
export const ARRAY_BUFFER = 0x0f
/** A length, then the elements. */
export const ARRAY = 0x10
/** The number of fields, then each name (a string) and value in the order of the object. */
export const OBJECT = 0x11
/** An object without a prototype, otherwise as OBJECT. */
export const BARE_OBJECT = 0x12
/** The number of entries, then each key and value. */
export const MAP = 0x13
/** A length, then the elements. */
export const SET = 0x14

/** LATIN1 with the length in the tag: 0x20 to 0x3f. */
export const SHORT_LATIN1 = 0x20
export const SHORT_LATIN1_LENGTH_MAX = 31
/** ARRAY with the length in the tag: 0x40 to 0x4f. */
export const SHORT_ARRAY = 0x40
/** OBJECT with the number of fields in the tag: 0x50 to 0x5f. */
export const SHORT_OBJECT = 0x50
export const SHORT_COUNT_MAX = 15
/** Whole numbers from SMALL_MIN to SMALL_MAX are their tag alone: 0x80 to 0xff. */
export const SMALL_INTEGER = 0x80
export const SMALL_MIN = -16
export const SMALL_MAX = 111

/** Objects of any kind inside each other, the outermost counted. */
export const NESTING_MAX = 200
