declare module 'virtual:texts/*' {
  export const keys: string
  export const en: string
  export const zh: string
}
