import { describe, expect, it } from 'vitest'

import { albumOf, routeOf } from '../../src/lib/route'

describe('routeOf', () => {
  it('knows the pages, and shows the photos for everything else', () => {
    expect(routeOf('#status').page).toBe('status')
    expect(routeOf('').page).toBe('photos')
    expect(routeOf('#nothing').page).toBe('photos')
    expect([routeOf('#faces/7').page, routeOf('#faces').page, routeOf('#faces/x').page]).toEqual(['faces', 'photos', 'photos'])
  })

  it('reads the photo that is shown large', () => {
    expect(routeOf('#photo-12')).toEqual({ page: 'photos', photo: 12, part: null })
    expect(routeOf('#photo-x').photo).toBeNull()
  })

  it('reads the album whose photos are shown', () => {
    expect(albumOf(routeOf('#albums/12'))).toBe(12)
    for (const hash of ['#albums', '#albums/x', '#albums/', '#people/12', '#photo-12']) expect(albumOf(routeOf(hash))).toBeNull()
  })

  it('reads the part of a page, even a badly written one', () => {
    expect(routeOf('#settings/engine.workers').part).toBe('engine.workers')
    expect(routeOf('#settings/a%20b').part).toBe('a b')
    expect(routeOf('#settings/%').part).toBe('%')
  })
})
