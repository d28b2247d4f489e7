/** The picker has its few lines of style in its page: the program's own sheet, which every page is given, would only hold it up. */

import type { Plugin } from 'vite'

export function bare(): Plugin {
  return {
    name: 'bare',
    enforce: 'post',
    transformIndexHtml: {
      order: 'post',
      handler: (html, { filename }) => (filename.endsWith('picker.html') ? html.replace(/\s*<link rel="stylesheet"[^>]*>/g, '') : html),
    },
  }
}
