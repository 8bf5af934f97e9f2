const DOUBLE = new URL('./electron.mjs', import.meta.url).href

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, next) {
  if (specifier === 'electron') return { url: DOUBLE, shortCircuit: true }
  return next(specifier, context)
}
