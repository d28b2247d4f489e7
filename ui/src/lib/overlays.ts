/** Tells whether a sheet, dialog, menu or list lies over the page and takes the keys. */
export function hasOverlay(): boolean {
  return document.querySelector('[role=dialog], [role=alertdialog], [role=menu], .menu') !== null
}
