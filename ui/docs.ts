/** Turns the guide in `../docs` into pages that the agent serves: help opens in the program, without a network, and weighs nothing in the UI itself. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { Marked, type Tokens } from 'marked'
import type { Plugin } from 'vite'

const DOCS = join(import.meta.dirname, '../docs')
const SUFFIXES = { en: '.md', 'zh-CN': '.zh-CN.md' } as const
type Language = keyof typeof SUFFIXES

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_. ]/gu, '')
    .trim()
    .replace(/\s+/g, '-')
}

/** The pages that open in the program. */
export function names(): readonly string[] {
  return ['guide']
}

/** What leads to another page of the help leads to it in the program; what leads elsewhere in the project is only its words. */
export function target(href: string): string | null {
  if (/^https?:/.test(href)) return href
  const page = /^(?:\.{0,2}\/)*(?:reference\/)?([a-z-]+)(?:\.zh-CN)?\.md(?:#(.*))?$/.exec(href)
  if (page && ['settings', 'errors', ...names()].includes(page[1] ?? '')) return `#help/${page[1]}${page[2] ? `/${page[2]}` : ''}`
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

/** A page as the agent gives it. */
export function page(name: string, language: Language): { readonly html: string } {
  const [own, english] = [SUFFIXES[language], SUFFIXES.en].map((suffix) => readFileSync(join(DOCS, `${name}${suffix}`), 'utf8'))
  return { html: html(own ?? '', english ?? '') }
}

/** Writes the pages beside what is built: `dist-help/en/guide.json`. */
export function docs(): Plugin {
  let folder = ''
  return {
    name: 'docs',
    apply: 'build',
    configResolved: ({ root, build }) => void (folder = `${resolve(root, build.outDir)}-help`),
    writeBundle() {
      for (const language of Object.keys(SUFFIXES) as Language[]) {
        mkdirSync(join(folder, language), { recursive: true })
        for (const name of names()) writeFileSync(join(folder, language, `${name}.json`), JSON.stringify(page(name, language)))
      }
    },
  }
}
