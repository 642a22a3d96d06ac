// Jobs of windows of each family, with triggers, late records and joins in several threads: they give what they give in one.

import { testCases } from './support/case-tests.ts'
import { WINDOW_CASES } from './support/window-cases.ts'

testCases('windows in several threads', WINDOW_CASES)
