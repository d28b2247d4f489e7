import { describe, expect, it } from 'vitest'

import { dragCapture, dragCopy, dragOut } from '../../src/lib/drag'

const HOST = 'http://host'

/** What a drag carries, by kind. */
function filled(fill: (transfer: DataTransfer) => void): { readonly effect: string; readonly data: ReadonlyMap<string, string> } {
  const data = new Map<string, string>([['text/html', '<img>']])
  const transfer = { effectAllowed: 'none', setData: (kind: string, text: string) => void data.set(kind, text), clearData: (kind: string) => void data.delete(kind) }
  fill(transfer as unknown as DataTransfer)
  return { effect: transfer.effectAllowed, data }
}

const dragged = (...images: Parameters<typeof dragOut>[1]) => filled((transfer) => dragOut(transfer, images, HOST))

describe('dragging out', () => {
  const heic = { id: 7, name: 'a.b.HEIC', path: '/home/mei/a.b.HEIC', format: 'heic' }
  const raw = { id: 8, name: '10:30.NEF', path: '/home/mei/10:30.NEF', format: 'raw' }

  it('offers the very file, by its own name and format', () => {
    const { effect, data } = dragged(heic)
    expect(data.get('DownloadURL')).toBe('image/heic:a.b.HEIC:http://host/api/images/7/original')
    expect(effect).toBe('copy')
  })

  it('says of a file without a common format only that it is one, and keeps the parts apart', () => {
    expect(dragged(raw).data.get('DownloadURL')).toBe('application/octet-stream:10_30.NEF:http://host/api/images/8/original')
  })

  it('names all photos that are dragged, and never where they lie', () => {
    const { data } = dragged(heic, raw)
    expect(data.get('text/uri-list')?.split('\r\n')).toEqual(['http://host/api/images/7/original', 'http://host/api/images/8/original'])
    expect(data.get('text/plain')).toBe('a.b.HEIC\n10:30.NEF')
    expect([...data.values()].join()).not.toContain('/home/')
  })

  it('carries nothing while nothing is known of a photo', () => {
    expect(dragged().data.size).toBe(1)
  })

  it('offers a covered copy as its file', () => {
    const { data } = filled((transfer) => dragCopy(transfer, { id: 3, name: 'a.jpg' }, HOST))
    expect(data.get('DownloadURL')).toBe('application/octet-stream:a.jpg:http://host/api/redaction-items/3/copy')
  })

  it('names the picture of a capture by the time, and leaves no address of it in a text', () => {
    const { data } = filled((transfer) => dragCapture(transfer, 'c', HOST, new Date(2026, 0, 2, 3, 4, 5)))
    expect(data.get('DownloadURL')).toBe('image/png:AI Popup 2026-01-02 03.04.05.png:http://host/api/captures/c/picture')
    expect(data.has('text/html')).toBe(false)
  })
})
