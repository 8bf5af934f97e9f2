import { expect, it } from 'vitest'
import { createTools, toolSpecs } from '../../../src/main/tools/registry'

interface JsonSchema {
  type?: string
  description?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean
  items?: JsonSchema
}

it('has the tools in the order the model sees them', () => {
  expect(createTools().map((tool) => tool.name)).toEqual([
    'bash',
    'read',
    'write',
    'edit',
    'list',
    'glob',
    'grep',
    'plan_tool',
  ])
})

it('gives schemas that a model API accepts: closed objects, every field described, defaults optional', () => {
  const check = (schema: JsonSchema, path: string) => {
    if (schema.type === 'array' && schema.items) check(schema.items, `${path}[]`)
    if (schema.type !== 'object') return
    expect(schema.additionalProperties, path).toBe(false)
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      expect(field.description, `${path}.${name}`).toBeTruthy()
      expect(field.type, `${path}.${name}`).toBeTruthy()
      check(field, `${path}.${name}`)
    }
  }
  const specs = toolSpecs(createTools())
  for (const spec of specs) {
    expect(spec.input_schema.type).toBe('object')
    expect(spec.input_schema.$schema).toBeUndefined()
    check(spec.input_schema, spec.name)
  }
  const required = Object.fromEntries(specs.map((spec) => [spec.name, spec.input_schema.required]))
  expect(required).toEqual({
    bash: ['command'],
    read: ['path'],
    write: ['path', 'content'],
    edit: ['path', 'old_str', 'new_str'],
    list: undefined,
    glob: ['pattern'],
    grep: ['pattern'],
    plan_tool: ['todos'],
  })
  expect(JSON.stringify(specs)).not.toContain('9007199254740991')
})

it('makes every spec once', () => {
  const tools = createTools()
  expect(toolSpecs(tools)[0]).toBe(toolSpecs(tools)[0])
})

it('runs reads side by side and writes one by one', () => {
  const tools = createTools()
  expect(tools.filter((tool) => tool.concurrency === 'serial').map((tool) => tool.name)).toEqual(['write', 'edit'])
})
