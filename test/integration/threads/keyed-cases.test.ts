// Jobs of keyed state, timers, two inputs, joins and asynchronous calls in several threads: they give what they give in one.

import { testCases } from './support/case-tests.ts'
import { KEYED_CASES } from './support/keyed-cases.ts'

testCases('keyed state, timers, joins and calls in several threads', KEYED_CASES)
