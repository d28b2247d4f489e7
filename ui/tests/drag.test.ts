import { describe, expect, it } from 'vitest'

import { dragOut } from '../src/lib/drag'

const HOST = 'http://host'

/** What a drag of these photos carries, by kind. */
function dragged(...images: Parameters<typeof dragOut>[1]): { readonly effect: string; readonly data: ReadonlyMap<string, string> } {
  const data = new Map<string, string>()
  const transfer = { effectAllowed: 'none', setData: (kind: string, text: string) => void data.set(kind, text) }
  dragOut(transfer as unknown as DataTransfer, images, HOST)
  return { effect: transfer.effectAllowed, data }
}

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
    expect(dragged().data.size).toBe(0)
  })
})
