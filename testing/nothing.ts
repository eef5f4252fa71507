/** Stands for a package that is loaded and not used: see jest.config.js. */
export {};
