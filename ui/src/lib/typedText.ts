/**
 * What was being typed when the session ended, kept in this tab until the same member is back: signing in loads the page anew. Names of faces
 * have drafts on the server.
 */

export interface TypedText {
  /** what the field is called */
  readonly label: string
  readonly text: string
}

type Kept = { readonly member: string; readonly at: number; readonly texts: readonly TypedText[] }
type Place = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const PLACE = 'typed-before'
const HOURS_MS = 8 * 3_600_000
const FIELDS = 'textarea, input:not([type]), input[type=text], input[type=email], input[type=url], input[type=date]'
/** Who signs in, and by what, is typed anew. */
const SECRET = /password|username|one-time-code/

export class TypedTexts {
  /** fields that the user wrote in; what was saved has usually left the page */
  private edited = new WeakSet<Element>()

  /** @param storage null where the browser has none */
  constructor(private readonly storage: Place | null) {}

  /** Follows what is typed in a document. */
  watch(page: Document): void {
    page.addEventListener('input', ({ target }) => target instanceof Element && target.matches(FIELDS) && this.edited.add(target), { capture: true })
  }

  /** Keeps what stands in the edited fields that are there. */
  keep(member: string, root: ParentNode, now = Date.now()): void {
    const texts = [...root.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(FIELDS)]
      .filter((field) => this.edited.has(field) && field.value.trim() !== '' && !SECRET.test(field.autocomplete))
      .map((field) => ({ label: labelOf(field), text: field.value }))
    if (texts.length === 0) return
    try {
      this.storage?.setItem(PLACE, JSON.stringify({ member, at: now, texts } satisfies Kept))
    } catch {
      // It is too much, or storage is refused: then it is lost as before.
    }
  }

  /** Returns what this member had typed, once; another member's is dropped. */
  take(member: string, now = Date.now()): readonly TypedText[] {
    try {
      const kept = JSON.parse(this.storage?.getItem(PLACE) ?? 'null') as Kept | null
      this.storage?.removeItem(PLACE)
      return kept !== null && kept.member === member && now - kept.at < HOURS_MS ? kept.texts : []
    } catch {
      return []
    }
  }
}

function labelOf(field: HTMLInputElement | HTMLTextAreaElement): string {
  const named = field.getAttribute('aria-label') ?? field.labels?.[0]?.textContent ?? field.placeholder
  return named.replace(/\s+/g, ' ').trim()
}

function storage(): Place | null {
  try {
    return globalThis.sessionStorage ?? null
  } catch {
    return null
  }
}

export const typedTexts = new TypedTexts(storage())
