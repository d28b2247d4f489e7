import { describe, expect, it } from 'vitest'

import { folderName, isBelow, isInside, watchedFolderOf } from '../../src/lib/folders'

describe('folders', () => {
  it('are named by the last part of their path on every system', () => {
    expect(folderName('/home/mei/Pictures')).toBe('Pictures')
    expect(folderName('/home/mei/Pictures/')).toBe('Pictures')
    expect(folderName('C:\\Users\\mei\\Phone uploads')).toBe('Phone uploads')
    expect(folderName('/')).toBe('/')
  })

  it('hold what lies below them, and themselves', () => {
    expect(isBelow('/photos/phone', '/photos/')).toBe(true)
    expect(isBelow('/photos', '/')).toBe(true)
    expect(isBelow('C:\\Photos\\a', 'C:\\Photos')).toBe(true)
    expect(isBelow('/photos 2', '/photos')).toBe(false)
    expect(isBelow('/photos', '/photos')).toBe(false)
    expect(isInside('/photos', '/photos')).toBe(true)
    expect(isInside('/photos/a/b', '/photos')).toBe(true)
  })

  it('own the files below them, the innermost first', () => {
    const folders = [{ path: '/photos' }, { path: '/photos/phone' }, { path: 'C:\\Photos' }]
    expect(watchedFolderOf('/photos/phone/a.jpg', folders)?.path).toBe('/photos/phone')
    expect(watchedFolderOf('/photos/phone 2/a.jpg', folders)?.path).toBe('/photos')
    expect(watchedFolderOf('C:\\Photos\\b.jpg', folders)?.path).toBe('C:\\Photos')
    expect(watchedFolderOf('/elsewhere/a.jpg', folders)).toBeUndefined()
  })
})
