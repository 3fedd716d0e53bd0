/** What is got by importing the page as text. */
declare const page: string;
export { page as default };
