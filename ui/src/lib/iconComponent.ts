/** Makes a component of each icon that `icons.ts` packs. */

import type { Component } from 'svelte'

import Icon from './components/Icon.svelte'

/** A component that draws it. */
export const icon =
  (drawing: string): Component =>
  (anchor, given) =>
    Icon(anchor, { drawing, given })
