/** Leaves out what nothing of the program uses and a bundler can't tell: how a popover that opens by pointing follows the pointer. */

import type { Plugin } from 'vite'

const PART = /\/bits-ui\/dist\/internal\/safe-polygon\.svelte\.js$/

export function unused(): Plugin {
  return {
    name: 'unused',
    enforce: 'pre',
    load: (id) => (PART.test(id) ? 'export class SafePolygon {}' : null),
    transform(code, id) {
      if (!id.includes('node_modules') && id.endsWith('.svelte') && code.includes('openOnHover')) this.error('openOnHover needs the part that unused.ts leaves out')
    },
  }
}
