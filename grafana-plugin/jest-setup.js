require('@testing-library/jest-dom');
const { TextDecoder, TextEncoder } = require('util');

Object.assign(global, { TextDecoder, TextEncoder });

// what jsdom does not have
Object.defineProperty(global, 'matchMedia', {
  writable: true,
  value: (query) => ({
    matches: false,
    media: query,
    onchange: null,
    addListener: jest.fn(),
    removeListener: jest.fn(),
    addEventListener: jest.fn(),
    removeEventListener: jest.fn(),
    dispatchEvent: jest.fn(),
  }),
});
HTMLCanvasElement.prototype.getContext = () => {};

// icons are fetched, and nobody is here to give them
jest.mock('react-inlinesvg', () => ({ __esModule: true, default: () => null }));
