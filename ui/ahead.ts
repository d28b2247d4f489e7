/** Has the browser fetch the program while the page's small first script runs: it would else hear of it only from that script. */

import type { HtmlTagDescriptor, Plugin } from 'vite'

export function ahead(): Plugin {
  return {
    name: 'ahead',
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle = {}, chunk, filename }) {
        if (!filename.endsWith('index.html')) return []
        const main = Object.values(bundle).find((part) => part.type === 'chunk' && part.name === 'main')
        if (main?.type !== 'chunk') return []
        const tag = (attrs: Record<string, string | boolean>): HtmlTagDescriptor => ({ tag: 'link', attrs, injectTo: 'head' })
        return [main.fileName, ...main.imports].filter((file) => !chunk?.imports.includes(file) && file !== chunk?.fileName).map((file) => tag({ rel: 'modulepreload', crossorigin: true, href: `/${file}` }))
      },
    },
  }
}
