/** Styles mean nothing to a test. */
module.exports = {};
