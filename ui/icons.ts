/** Makes an icon of `@lucide/svelte` its drawing and nothing else: as a component of its own each weighs four times that, and there are seventy. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Plugin } from 'vite'

const NAME = '@lucide/svelte/icons/'
const FOLDER = join(import.meta.dirname, 'node_modules/@lucide/svelte/dist/icons')

type Drawn = readonly [tag: string, attributes: Readonly<Record<string, string>>]

/** What lies in the `svg` of an icon, from the source of its component. */
export function drawing(source: string): string {
  const data = /\biconData = (\{.*\});$/m.exec(source)?.[1]
  if (data === undefined) throw new Error('an icon is written in another way than before')
  const { node } = JSON.parse(data) as { readonly node: readonly Drawn[] }
  return node.map(([tag, attributes]) => `<${tag}${Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`).join('')}/>`).join('')
}

export function icons(): Plugin {
  return {
    name: 'icons',
    enforce: 'pre',
    resolveId: (id) => (id.startsWith(NAME) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${NAME}`)) return null
      const source = readFileSync(join(FOLDER, `${id.slice(NAME.length + 1)}.svelte`), 'utf8')
      return `import { icon } from '/src/lib/iconComponent'\nexport default icon(${JSON.stringify(drawing(source))})`
    },
  }
}
