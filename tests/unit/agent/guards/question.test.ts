import { describe, expect, it } from 'vitest'
import { asksTheUser } from '../../../../src/main/agent/guards/question'

const asking = [
  'The file has two label columns. Which one is the target?',
  'Shall I overwrite `model.pt`? 🙂',
  '**Should I use the GPU?**',
  'You wrote "use all of it" (the test part too?)',
  'Really?!',
  'I found two datasets.\n\nWhich one do you want:\n\n1. the small one\n2. the large one\n\nPlease choose.',
  'Which split should I evaluate on?\n\n- validation\n- test',
  'Which split should I evaluate on?\n- validation\n- test',
  '哪一列是目标？',
  '要继续吗',
  'どの列を使いますか。',
  '계속할까요',
  'أي عمود هو الهدف؟',
  'Ποια στήλη είναι ο στόχος;',
  'Ո՞րն է նպատակը։',
  'ไฟล์นี้ถูกต้องไหมครับ',
  '¿Qué columna es el objetivo?',
  'The repository is private. I need your permission to make it public.',
  'I need an answer from you before I spend money on a GPU.',
  'The upload needs approval. I stop here.',
  'I am waiting for your decision on the split.',
  'Both work. It is up to you.',
  'I will not start the job until you confirm.',
  'I cannot proceed without the HF token.',
  'The data are not here. Please upload the CSV file.',
  'Let me know which of the two you prefer.',
]

const notAsking = [
  '',
  'Step 1 is done. Next I will train the model.',
  'Why is F1 so low? The classes are imbalanced, so I will weight them next.',
  'What remains?\n\nThe evaluation. I go on with it now.',
  'I read https://example.org/search?q=f1?',
  'The script is written:\n\n```python\nprint("ok?")\n```',
  'The script is written:\n\n```python\nprint("ok?")',
  'I do not need your input for this; the evaluation comes next.',
  'I need to train the model before I can give you the results.',
  'The training needs 3 GB of memory, which this machine has.',
  'Let me now check the metrics.',
  'Based on your decision I use the validation part.',
  'I updated the plan; steps 3 and 4 remain.\n\n- train\n- evaluate',
]

describe('asksTheUser', () => {
  it.each(asking)('leaves the next move to the user: %s', (text) => {
    expect(asksTheUser(text)).toBe(true)
  })

  it.each(notAsking)('does not: %s', (text) => {
    expect(asksTheUser(text)).toBe(false)
  })

  it('takes a reply of any shape in milliseconds', () => {
    const started = performance.now()
    for (const char of ['*', '`', '\n', '> ', 'a ', '(', '~~~\n', '- x\n']) asksTheUser(`${char.repeat(100_000)}x`)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
