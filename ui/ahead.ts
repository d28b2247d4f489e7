/** Has the browser fetch the program while the page's small first script runs: it would else hear of it only from that script. */

import type { HtmlTagDescriptor, Plugin } from 'vite'

export function ahead(): Plugin {
  return {
    name: 'ahead',
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle = {} }) {
        const main = Object.values(bundle).find((part) => part.type === 'chunk' && part.name === 'main')
        if (main?.type !== 'chunk') return []
        const tag = (attrs: Record<string, string | boolean>): HtmlTagDescriptor => ({ tag: 'link', attrs, injectTo: 'head' })
        // Not as a style sheet: the first script would wait for it.
        const styles = [...(main.viteMetadata?.importedCss ?? [])].map((file) => tag({ rel: 'preload', as: 'style', crossorigin: true, href: `/${file}` }))
        return [tag({ rel: 'modulepreload', crossorigin: true, href: `/${main.fileName}` }), ...styles]
      },
    },
  }
}
