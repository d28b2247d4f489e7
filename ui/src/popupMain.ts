/** Entry of the popup. */

import { bootstrap } from './bootstrap'
import PopupWindow from './popup/PopupWindow.svelte'

bootstrap(PopupWindow, true)
