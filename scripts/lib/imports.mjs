import { parseAst } from 'rolldown/parseAst'

/** @typedef {{ target: string | null, typeOnly: boolean, line: number }} Import `target` null: known only at run time. */

/**
 * Every import of a source file, read from its syntax tree, so that no way of writing it is overlooked: static imports,
 * re-exports, `import()`, `import x = require()`, `require()` and types by `import('…')`. `typeOnly` when nothing of it
 * exists at run time; `import { type A }` does, because it still loads the module.
 * @param {string} text
 * @param {string} file
 * @returns {Import[]}
 */
export function importsOf(text, file) {
  const lang = /\.[cm]?tsx$/.test(file) ? 'tsx' : /\.[cm]?ts$/.test(file) ? 'ts' : 'jsx'
  const found = []
  const add = (node, source, typeOnly) => {
    const line = text.slice(0, node.start).split('\n').length
    found.push({ target: literalOf(source), typeOnly, line })
  }
  visit(parseAst(text, { lang, sourceType: 'module' }), (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
        return add(node, node.source, node.importKind === 'type')
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
        return node.source && add(node, node.source, node.exportKind === 'type')
      case 'ImportExpression':
        return add(node, node.source, false)
      case 'TSImportType':
        return add(node, node.source ?? node.argument, true)
      case 'TSExternalModuleReference':
        return add(node, node.expression, false)
      case 'CallExpression':
        return isRequire(node) && add(node, node.arguments[0], false)
    }
  })
  return found
}

/** `require(…)`, `require.resolve(…)`, and `createRequire(…)(…)`. */
function isRequire({ callee, arguments: given }) {
  if (given.length === 0) return false
  if (callee.type === 'Identifier') return callee.name === 'require'
  if (callee.type === 'MemberExpression') return callee.object.type === 'Identifier' && callee.object.name === 'require'
  return (
    callee.type === 'CallExpression' && callee.callee.type === 'Identifier' && callee.callee.name === 'createRequire'
  )
}

/** The text of a string or of a template without holes, also when a cast or a parenthesis is around it. */
function literalOf(node) {
  if (!node) return null
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked
  return node.expression || node.literal ? literalOf(node.expression ?? node.literal) : null
}

function visit(node, look) {
  if (Array.isArray(node)) {
    for (const entry of node) visit(entry, look)
    return
  }
  if (node === null || typeof node !== 'object') return
  if (typeof node.type === 'string') look(node)
  for (const value of Object.values(node)) if (value !== null && typeof value === 'object') visit(value, look)
}
