/** The data of a photo that is dragged out of the page: its own file. */

import { originalUrl } from '../api/client'
import { session } from '../api/pageSession'
import { copyFileUrl } from '../api/redactionApi'

interface Dragged {
  readonly id: number
  readonly name: string
  readonly format: string
}

const NAMED = ['jpeg', 'png', 'webp', 'gif', 'bmp', 'tiff', 'heic', 'avif']

function mediaType(format: string): string {
  return NAMED.includes(format) ? `image/${format}` : 'application/octet-stream'
}

function download(data: DataTransfer, type: string, name: string, address: string): void {
  data.effectAllowed = 'copy'
  // The parts lie between colons: a name may have none.
  data.setData('DownloadURL', `${type}:${name.replaceAll(':', '_')}:${address}`)
}

/**
 * Fills a drag: a file manager gets the first photo's file, anything else the addresses of all, which only this browser may open.
 *
 * Never their paths: what they are dropped on would learn of the user's name and folders (docs/decisions).
 */
export function dragOut(data: DataTransfer, images: readonly Dragged[], origin: string): void {
  const [first] = images
  if (first === undefined) return
  download(data, mediaType(first.format), first.name, origin + originalUrl(first.id))
  data.setData('text/uri-list', images.map(({ id }) => `${origin}${originalUrl(id)}`).join('\r\n'))
  data.setData('text/plain', images.map(({ name }) => name).join('\n'))
}

/** Fills the drag of a covered copy: its file. */
export function dragCopy(data: DataTransfer, { id, name }: Pick<Dragged, 'id' | 'name'>, origin: string): void {
  const address = origin + copyFileUrl(id)
  download(data, 'application/octet-stream', name, address)
  data.setData('text/uri-list', address)
}

/**
 * Fills the drag of a capture's picture. With its covers, as it is shown, the browser gives it as a file by itself; where a download is taken
 * instead, that is without loss.
 */
export function dragCapture(data: DataTransfer, id: string, origin: string, now = new Date()): void {
  // A picture's address is useless in a text.
  data.clearData('text/html')
  // Named by the local time, as when it is saved.
  download(data, 'image/png', `AI Popup ${now.toLocaleString('sv').replaceAll(':', '.')}.png`, origin + session.address(`/api/captures/${id}/picture`))
}
