/** An empty module that jest loads instead of a package that tests do not use (jest.config.js). */
export {};
