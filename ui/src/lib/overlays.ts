/** Whether something lies over the page that has the keys for itself: a sheet, a question, a menu or a list of offers. */
export function hasOverlay(): boolean {
  return document.querySelector('[role=dialog], [role=alertdialog], [role=menu], .menu') !== null
}
