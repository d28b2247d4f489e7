/** Turns the pages in `../docs` into HTML when the UI is built, so that help opens in the program and without a network. */

import { readFileSync } from 'node:fs'

import { Marked, type Tokens } from 'marked'
import type { Plugin } from 'vite'

const SUFFIX = '.md?page'

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_. ]/gu, '')
    .trim()
    .replace(/\s+/g, '-')
}

/** What leads to another page of the docs leads to it in the program; what leads elsewhere in the project is only its words. */
export function target(href: string): string | null {
  if (/^https?:/.test(href)) return href
  const page = /^(?:\.{0,2}\/)*(?:reference\/)?(guide|settings|errors)(?:\.zh-CN)?\.md(?:#(.*))?$/.exec(href)
  if (page) return `#help/${page[1]}${page[2] ? `/${page[2]}` : ''}`
  return null
}

function headings(markdown: string): string[] {
  return new Marked().lexer(markdown).filter((token): token is Tokens.Heading => token.type === 'heading').map(({ text }) => slug(text.replaceAll('`', '')))
}

/**
 * The page as HTML. Its headings have the ids of the same headings in `english`, so that a link is good in both languages.
 */
export function html(markdown: string, english: string = markdown): string {
  const ids = headings(english)
  let heading = 0
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        return `<h${depth} id="${ids[heading++] ?? ''}" tabindex="-1">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
      link({ href, tokens }) {
        const words = this.parser.parseInline(tokens)
        const to = target(href)
        if (to === null) return words
        return to.startsWith('#') ? `<a href="${to}">${words}</a>` : `<a href="${to}" target="_blank" rel="noreferrer">${words}</a>`
      },
      // Wide tables and long commands scroll by themselves, by keyboard too.
      code({ text }) {
        return `<pre tabindex="0"><code>${text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`)}</code></pre>\n`
      },
    },
  })
  // The program chooses the language.
  const own = markdown.replace(/^<!--.*?-->\s*/s, '').replace(/^\[(?:简体中文|English)\]\([^)]*\) · /m, '')
  return marked.parse(own, { async: false })
}

export function docs(): Plugin {
  return {
    name: 'docs',
    load(id) {
      if (!id.endsWith(SUFFIX)) return null
      const path = id.slice(0, -'?page'.length)
      const english = path.replace('.zh-CN.md', '.md')
      this.addWatchFile(path)
      return `export default ${JSON.stringify(html(readFileSync(path, 'utf8'), readFileSync(english, 'utf8')))}`
    },
  }
}
