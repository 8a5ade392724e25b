export const word = 'right'
