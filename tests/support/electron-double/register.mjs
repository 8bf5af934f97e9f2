// `node --import <this file> out/main/index.js`: the built app as it is, with this folder in the place of Electron.
import { register } from 'node:module'

register('./hooks.mjs', import.meta.url)
