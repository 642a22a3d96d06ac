// Jobs of partitionings, values, sources, side outputs and loops in several threads: they give what they give in one.

import { testCases } from './support/case-tests.ts'
import { RECORD_CASES } from './support/record-cases.ts'

testCases('partitionings, values, sources and loops in several threads', RECORD_CASES)
