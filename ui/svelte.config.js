import { vitePreprocess } from '@sveltejs/vite-plugin-svelte'

export default {
  preprocess: vitePreprocess(),
  // No component is written the older way, whose part of the runtime is left out then.
  // Each name stands in the style sheet and in the program many times; four letters still tell all components apart.
  compilerOptions: { runes: true, discloseVersion: false, cssHash: ({ hash, css }) => `s${hash(css).slice(0, 4)}` },
}
