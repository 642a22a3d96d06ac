// The checksum of files: CRC-32 as in gzip, zip and Ethernet (IEEE 802.3). It finds what a disk or a copy damaged, not what someone forged.

const POLYNOMIAL = 0xedb88320
/** Table k takes a byte through k more bytes of zeros, so that eight bytes are worked off at once (Kounavis and Berry 2005). */
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables()

type Table = Int32Array<ArrayBuffer>
type Tables = readonly [Table, Table, Table, Table, Table, Table, Table, Table]

function tables(): Tables {
  const first = new Int32Array(256).map((_, byte) => {
    let rest = byte
    for (let bit = 0; bit < 8; bit++) rest = (rest & 1) === 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1
    return rest
  })
  const next = (table: Table): Table => table.map(rest => (rest >>> 8) ^ (first[rest & 0xff] as number))
  const all = [first]
  for (let k = 1; k < 8; k++) all.push(next(all[k - 1] as Table))
  return all as unknown as Tables
}

/**
 * The CRC-32 of bytes as an unsigned 32-bit integer, in linear time. Given the checksum of what goes before, it continues from there:
 * `crc32(b, crc32(a))` is the checksum of a and b together.
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous
  let i = 0
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low =
      crc ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24))
    crc =
      (T7[low & 0xff] as number) ^
      (T6[(low >>> 8) & 0xff] as number) ^
      (T5[(low >>> 16) & 0xff] as number) ^
      (T4[low >>> 24] as number) ^
      (T3[bytes[i + 4] as number] as number) ^
      (T2[bytes[i + 5] as number] as number) ^
      (T1[bytes[i + 6] as number] as number) ^
      (T0[bytes[i + 7] as number] as number)
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[i] as number)) & 0xff] as number)
  return ~crc >>> 0
}
