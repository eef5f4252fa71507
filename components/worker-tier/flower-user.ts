/** The user that Flower asks for, beside its password. */
export const flowerUser = "orion";
