/** The visible rows of the folder tree. */

import type { FolderOut, SubfolderOut } from '../api/types'

export interface FolderRow {
  readonly path: string
  readonly name: string
  readonly images: number
  /** 1 for a watched folder */
  readonly level: number
  /** null: nothing is inside */
  readonly expanded: boolean | null
  /** index of the row it lies in; -1 for a watched folder */
  readonly parent: number
}

/**
 * Rows from top to bottom.
 *
 * @param inside what is known of the folders inside, by path; those of a watched folder are not known before it is opened
 */
export function folderRows(
  watched: readonly FolderOut[],
  inside: ReadonlyMap<string, readonly SubfolderOut[]>,
  expanded: ReadonlySet<string>,
): readonly FolderRow[] {
  const rows: FolderRow[] = []
  const add = ({ path, name, images }: Pick<SubfolderOut, 'path' | 'name' | 'images'>, nested: boolean, level: number, parent: number): void => {
    const open = expanded.has(path)
    const children = inside.get(path)
    const has = nested && children?.length !== 0
    const at = rows.push({ path, name, images, level, expanded: has ? open : null, parent }) - 1
    if (has && open) for (const child of children ?? []) add(child, child.nested, level + 1, at)
  }
  for (const folder of watched) add(folder, folder.images > 0, 1, -1)
  return rows
}
