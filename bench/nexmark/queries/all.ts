// The queries by their ids, in the order of the reference.
import type { NexmarkQuery } from '../query.ts'
import { q0 } from './q0-pass-through.ts'
import { q1 } from './q1-currency.ts'
import { q2 } from './q2-selection.ts'
import { q3 } from './q3-local-items.ts'
import { q4 } from './q4-category-average.ts'
import { q5 } from './q5-hot-items.ts'
import { q6 } from './q6-seller-average.ts'
import { q7 } from './q7-highest-bid.ts'
import { q8 } from './q8-new-users.ts'
import { q9 } from './q9-winning-bids.ts'
import { q10 } from './q10-log-to-files.ts'
import { q11 } from './q11-user-sessions.ts'
import { q12 } from './q12-processing-time.ts'
import { q13 } from './q13-side-input.ts'
import { q14 } from './q14-calculation.ts'
import { q15 } from './q15-bidding-statistics.ts'
import { q16 } from './q16-channel-statistics.ts'
import { q17 } from './q17-auction-statistics.ts'
import { q18 } from './q18-last-bid.ts'
import { q19 } from './q19-top-bids.ts'
import { q20 } from './q20-expand-bids.ts'
import { q21 } from './q21-channel-id.ts'
import { q22 } from './q22-url-directories.ts'
import { q23 } from './q23-seller-bids.ts'

/** All queries. Each knows the type of its own rows; to those who run them rows are of any type. */
export const QUERIES = [
  ...[q0, q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11],
  ...[q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22, q23],
] as unknown as readonly NexmarkQuery[]
