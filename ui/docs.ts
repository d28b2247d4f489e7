/** Turns the guide in `../docs` into pages that the agent serves: help opens in the program, without a network, and weighs nothing in the UI itself. */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

import { Marked, type Tokens } from 'marked'
import type { Plugin } from 'vite'

const DOCS = join(import.meta.dirname, '../docs')
const SUFFIXES = { en: '.md', 'zh-CN': '.zh-CN.md' } as const
type Language = keyof typeof SUFFIXES

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_. -]/gu, '')
    .trim()
    .replace(/\s+/g, '-')
}

/** Pages beside those of the guide that open in the program, by name; the agent says what there is of settings and errors. */
const OTHERS = ['guide', 'install', 'redaction', 'best-practices', 'troubleshooting', 'bad-days', 'updates', 'privacy', 'privacy-assessment', 'reference/commands']
const REFERENCE = ['settings', 'errors']
const PICTURES = '/api/help/pictures'

/** The pages that open in the program: their names, and where they lie below `docs`. */
export function pages(): ReadonlyMap<string, string> {
  const tasks = ['guide', 'runbook'].flatMap((folder) => readdirSync(join(DOCS, folder)).filter((file) => /^[a-z-]+\.md$/.test(file)).map((file) => `${folder}/${file.slice(0, -'.md'.length)}`))
  return new Map([...OTHERS, ...tasks].map((place) => [basename(place), place]))
}

/** What leads to another page of the help leads to it in the program; what leads elsewhere in the project is only its words. */
export function target(href: string): string | null {
  if (/^https?:/.test(href)) return href
  const page = /^(?:\.{0,2}\/)*(?:(?:reference|guide|runbook)\/)?([a-z-]+)(?:\.zh-CN)?\.md(?:#(.*))?$/.exec(href)
  const name = page?.[1] ?? ''
  if (!pages().has(name) && !REFERENCE.includes(name)) return null
  return `#help/${name}${page?.[2] ? `/${page[2]}` : ''}`
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
      image({ href, text }) {
        return `<img src="${PICTURES}/${basename(href)}" alt="${text.replaceAll('"', '&quot;')}" loading="lazy">`
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
  const place = pages().get(name) ?? name
  const [own, english] = [SUFFIXES[language], SUFFIXES.en].map((suffix) => readFileSync(join(DOCS, `${place}${suffix}`), 'utf8'))
  return { html: html(own ?? '', english ?? '') }
}

/** Where a picture of a page lies. Its name is like no other's. */
export function picture(name: string): string {
  return join(DOCS, name.endsWith('.webp') ? 'loops' : 'screens', name)
}

export function picturesIn(html: string): readonly string[] {
  return [...html.matchAll(new RegExp(`src="${PICTURES}/([^"]+)"`, 'g'))].map((match) => match[1] ?? '')
}

/** What `ai-popup help` prints: the pages above, and those for administrators, by name. */
export function texts(): ReadonlyMap<string, string> {
  const operate = readdirSync(join(DOCS, 'operate')).filter((file) => /^[a-z-]+\.md$/.test(file) && file !== 'index.md').map((file) => `operate/${file.slice(0, -'.md'.length)}`)
  return new Map([...pages(), ...['team', ...operate].map((place) => [basename(place), place] as const)])
}

/** Writes the pages and their pictures beside what is built: `dist-help/en/guide.json`, and `guide.md`. */
export function docs(): Plugin {
  let folder = ''
  return {
    name: 'docs',
    apply: 'build',
    configResolved: ({ root, build }) => void (folder = `${resolve(root, build.outDir)}-help`),
    writeBundle() {
      for (const language of Object.keys(SUFFIXES) as Language[]) {
        mkdirSync(join(folder, language), { recursive: true })
        mkdirSync(join(folder, 'pictures'), { recursive: true })
        for (const name of pages().keys()) {
          const made = page(name, language)
          writeFileSync(join(folder, language, `${name}.json`), JSON.stringify(made))
          for (const file of picturesIn(made.html)) copyFileSync(picture(file), join(folder, 'pictures', file))
        }
        for (const [name, place] of texts()) copyFileSync(join(DOCS, `${place}${SUFFIXES[language]}`), join(folder, language, `${name}.md`))
      }
    },
  }
}
