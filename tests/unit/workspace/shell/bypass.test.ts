import { describe, expect, test } from 'vitest'
import { factsOf, partsOf } from './support'

describe('commands that only look like text', () => {
  // bash joins the lines before it looks for the end: what follows runs.
  test.each([
    'cat <<EOF\nEO\\\nF\nrm -rf ~\nEOF',
    'cat <<EOF\nE\\\nO\\\nF\nrm -rf ~\nEOF',
    'cat <<-EOF\n\tEO\\\nF\nrm -rf ~\nEOF',
    'cat <<-EOF\nEO\\\n\tF\nrm -rf ~\nEOF',
  ])('behind an end of a here-document that is written on two lines: %j', (command) => {
    expect(factsOf(command).subjects.some(({ opaque }) => opaque)).toBe(true)
  })

  // The word of the array goes on: bash takes it for no comment.
  test.each(['x=(a)#§(rm y)', 'x=(a)# §(rm y)', 'x=(a)\\\n#§(rm y)', 'declare -a x=(a)#`rm y`'])(
    'behind an array: %j',
    (command) => {
      const { subjects } = factsOf(command)
      expect(subjects.some(({ opaque, text }) => opaque || text === 'rm y')).toBe(true)
    },
  )

  test('joined lines that are no end stay text', () => {
    expect(partsOf('cat > a.sh <<EOF\npython a.py \\\n  --lr 1\nEOF\nls')).toEqual(['(cat)', '>a.sh', '(ls)'])
    expect(partsOf("cat <<'EOF'\nEO\\\nF\nrm x\nEOF")).toEqual(['(cat)'])
  })
})

describe('a word that is more than one', () => {
  test.each(['cat {"}",.env}', "cat {'}',.env}", 'cat {\\},.env}'])('%s', (command) => {
    const [subject] = factsOf(command).subjects
    expect(subject?.harmless).toBeUndefined()
    expect(subject?.unsure_from).toBeDefined()
  })
})

describe('options that GNU programs take in a shorter form', () => {
  test.each([
    'sort --outp=/etc/x a',
    'sort --ou /etc/x a',
    'sort --comp=sh a',
    'file --comp -m x',
    'git diff --outpu=x',
    'git log --ext',
    'pip list --log x',
    'pip list --lo=x',
    'date --se x',
  ])('are not harmless: %s', (command) => {
    expect(factsOf(command).subjects[0]?.harmless).toBeUndefined()
  })
  test.each(['sort --reverse a', 'git log --oneline', 'git diff --stat', 'pip list --outdated', 'jobs', 'jobs -l'])(
    'leave the others alone: %s',
    (command) => {
      expect(factsOf(command).subjects[0]?.opaque).toBeUndefined()
    },
  )
  test('`jobs -x` runs what follows', () => {
    expect(factsOf('jobs -x rm y').subjects[0]).toMatchObject({ opaque: true })
  })
})
