/** First prompts; each one names data, a measure and a result, as a good task does. */
export const EXAMPLES: { title: string; prompt: string }[] = [
  {
    title: 'Train a classifier',
    prompt:
      'Train a classifier on data.csv. Hold out 20 % for the test, report macro-F1 against a majority baseline, and save the best model with a model card.',
  },
  {
    title: 'Audit a dataset',
    prompt:
      'Audit the data in this folder before anybody trains on it: missing values, duplicates, class balance, and rows that leak between the splits. Write what you find to AUDIT.md.',
  },
  {
    title: 'Explain a bad run',
    prompt:
      'Read the training log and the script in this folder. Find out why the validation loss rises, test your explanation with a short run, and propose a fix.',
  },
]
