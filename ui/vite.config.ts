import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

import { ahead } from './ahead.ts'
import { bare } from './bare.ts'
import { docs } from './docs.ts'
import { icons } from './icons.ts'
import { texts } from './texts.ts'

/** what only the pages of a team's server use */
const OF_THE_TEAM = /\/(node_modules\/qr\/|src\/(team\/(?!lazy)|uploads\/|api\/(account|alert|backup|buckets|provider|team|libraries|incident|upload)Api))/

export default defineConfig({
  plugins: [icons(), svelte(), docs(), texts(), ahead(), bare()],
  // The catalogues and the mark lie in ../assets, the help in ../docs, shared with the Python side.
  server: { fs: { allow: ['..'] } },
  build: {
    // The oldest web views that know light-dark(); tokens.css is written with it.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // Every asset is a file: the page's content policy allows no data: addresses.
    assetsInlineLimit: 0,
    // One style sheet, so that no part of the program waits for one of its own.
    cssCodeSplit: false,
    rolldownOptions: {
      input: ['index.html', 'popup.html', 'picker.html'],
      output: {
        codeSplitting: {
          groups: [
            // What runs first waits for nothing else; all else that parts of the program share is one file, which packs far better than many.
            { name: 'first', test: /preload-helper|src\/(api\/(client|prefetch|photoFilter|pageSession)|lib\/route|library\/photoOrder)\.ts$/, priority: 2 },
            { name: 'shared', test: (id) => !OF_THE_TEAM.test(id), minShareCount: 2, priority: 1 },
            // What both of the team's files need must not come to a desktop.
            { name: 'team', test: OF_THE_TEAM, minShareCount: 2 },
          ],
        },
      },
    },
    modulePreload: { polyfill: false },
  },
  // A busy machine is no failure.
  test: { include: ['tests/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
