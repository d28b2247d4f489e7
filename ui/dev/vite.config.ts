import { mergeConfig } from 'vite'

import base from '../vite.config.ts'
import { mock } from './mock.ts'

export default mergeConfig(base, { plugins: [mock()], server: { host: '127.0.0.1', port: 5178 }, preview: { host: '127.0.0.1', port: 5178 } })
