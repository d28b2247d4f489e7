/** What a photo is when it is dragged out of the page. */

import { previewUrl } from '../api/client'

/** The longest side the agent makes a copy with. */
const COPY_SIDE = 4096

interface Dragged {
  readonly id: number
  readonly name: string
  readonly path: string
}

/** "/photos/a b.jpg" and "C:\\photos\\a b.jpg" as `file:` addresses. */
export function fileUrl(path: string): string {
  const parts = path.replaceAll('\\', '/').split('/')
  const drive = /^[A-Za-z]:$/.test(parts[0] ?? '')
  return `file://${drive ? '/' : ''}${parts.map((part, index) => (drive && index === 0 ? part : encodeURIComponent(part))).join('/')}`
}

/**
 * Fills a drag: other programs get the files themselves; where a browser keeps those back, a file manager gets a JPEG copy.
 */
export function dragOut(data: DataTransfer, images: readonly Dragged[], origin: string): void {
  const [first] = images
  if (first === undefined) return
  const copy = `${origin}${previewUrl(first.id, COPY_SIDE)}`
  data.effectAllowed = 'copy'
  data.setData('DownloadURL', `image/jpeg:${first.name.replace(/\.[^.]*$/, '')}.jpg:${copy}`)
  data.setData('text/uri-list', images.map(({ path }) => fileUrl(path)).join('\r\n'))
  data.setData('text/plain', images.map(({ path }) => path).join('\n'))
}
