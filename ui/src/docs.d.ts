declare module '*.md?page' {
  const html: string
  export default html
}

declare module 'virtual:texts/*' {
  export const keys: string
  export const en: string
  export const zh: string
}
