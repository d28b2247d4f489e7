import { describe, expect, it } from 'vitest'

import { dragOut, fileUrl } from '../src/lib/drag'

describe('dragging out', () => {
  it('writes file addresses of every system', () => {
    expect(fileUrl('/photos/a b#1.jpg')).toBe('file:///photos/a%20b%231.jpg')
    expect(fileUrl('C:\\photos\\小梅.jpg')).toBe('file:///C:/photos/%E5%B0%8F%E6%A2%85.jpg')
  })

  it('offers the files, and a copy of the first', () => {
    const data = new Map<string, string>()
    const transfer = { effectAllowed: 'none', setData: (kind: string, text: string) => void data.set(kind, text) }
    const images = [
      { id: 7, name: 'a.b.HEIC', path: '/p/a.b.HEIC' },
      { id: 8, name: 'c.jpg', path: '/p/c.jpg' },
    ]
    dragOut(transfer as unknown as DataTransfer, images, 'http://host')
    expect(data.get('DownloadURL')).toBe('image/jpeg:a.b.jpg:http://host/api/images/7/preview?side=4096')
    expect(data.get('text/uri-list')?.split('\r\n')).toEqual(['file:///p/a.b.HEIC', 'file:///p/c.jpg'])
    expect(transfer.effectAllowed).toBe('copy')
  })
})
