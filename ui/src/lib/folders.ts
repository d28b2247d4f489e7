/** Paths of folders, in the notation of any system. */

const withoutEnd = (path: string): string => path.replace(/[/\\]+$/, '')

/** The name of a folder: the last part of its path. */
export function folderName(path: string): string {
  return withoutEnd(path).split(/[/\\]/).at(-1) || path
}

/** Whether a path lies below a folder, at any depth. */
export function isBelow(path: string, folder: string): boolean {
  const above = withoutEnd(folder)
  return path !== folder && path.startsWith(above) && /[/\\]/.test(path.charAt(above.length))
}

/** Whether a path is a folder or lies below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || isBelow(path, folder)
}

/** The watched folder that a file lies in: the innermost one. */
export function watchedFolderOf<F extends { readonly path: string }>(path: string, folders: readonly F[]): F | undefined {
  return folders.filter((folder) => isInside(path, folder.path)).sort((a, b) => b.path.length - a.path.length)[0]
}
