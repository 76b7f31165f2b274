const POUNDS = new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'GBP' });

/** "£2.95" */
export function price(pounds: number): string {
  return POUNDS.format(pounds);
}
