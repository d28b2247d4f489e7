/** What a photo is when it is dragged out of the page: its own file. */

import { originalUrl } from '../api/client'

interface Dragged {
  readonly id: number
  readonly name: string
  readonly format: string
}

const NAMED = ['jpeg', 'png', 'webp', 'gif', 'bmp', 'tiff', 'heic', 'avif']

function mediaType(format: string): string {
  return NAMED.includes(format) ? `image/${format}` : 'application/octet-stream'
}

/**
 * Fills a drag: a file manager gets the first photo's file, anything else the addresses of all, which only this browser may open.
 *
 * Never their paths: what they are dropped on would learn of the user's name and folders (docs/decisions).
 */
export function dragOut(data: DataTransfer, images: readonly Dragged[], origin: string): void {
  const [first] = images
  if (first === undefined) return
  data.effectAllowed = 'copy'
  // The parts lie between colons: a name may have none.
  data.setData('DownloadURL', `${mediaType(first.format)}:${first.name.replaceAll(':', '_')}:${origin}${originalUrl(first.id)}`)
  data.setData('text/uri-list', images.map(({ id }) => `${origin}${originalUrl(id)}`).join('\r\n'))
  data.setData('text/plain', images.map(({ name }) => name).join('\n'))
}
