import { afterEach, expect, it } from 'vitest'

import { app } from '../../src/lib/appState.svelte'
import { shortcut, letterKey } from '../../src/lib/letterKeys.svelte'
import { status } from '../fixtures'

class Thing {
  constructor(private readonly field: boolean) {}
  matches = (): boolean => this.field
}
Object.assign(globalThis, { Element: Thing })

const pressed = (key: string, more: object = {}): KeyboardEvent => ({ key, target: new Thing(false), ctrlKey: false, metaKey: false, altKey: false, ...more }) as unknown as KeyboardEvent

afterEach(() => (app.status = null))

it('a letter is a command unless something is typed or another key is held', () => {
  expect([letterKey(pressed('Y')), letterKey(pressed('/'))]).toEqual(['y', '/'])
  expect(letterKey(pressed('y', { target: new Thing(true) }))).toBeNull()
  expect(letterKey(pressed('y', { ctrlKey: true }))).toBeNull()
  expect(letterKey(pressed('Enter'))).toBeNull()
})

it('switched off, letters do nothing and are not told; other keys go on', () => {
  app.status = { ...status(), letter_keys: false }
  expect(letterKey(pressed('y'))).toBeNull()
  expect([shortcut('Y'), shortcut('?'), shortcut('←'), shortcut('Esc'), shortcut('1–6')]).toEqual([undefined, undefined, '←', 'Esc', '1–6'])
})
