//! What only a study that is to be run must keep: what an earlier program ran stays readable.

use flatleak_nn::Recipe;
use flatleak_results::is_device;

use crate::error::Error;
use crate::study::Study;

impl Study {
    /// Refuses two recipes that are trained and published in the same way: every difference between them would be 0 by construction.
    /// A command may train differently whenever it is called: recipes with one are distinct.
    ///
    /// # Errors
    /// The names of the first two.
    pub fn check_distinct(&self) -> Result<(), Error> {
        let identities: Vec<String> = self.recipes.iter().map(|r| self.told_apart(r)).collect();
        for (second, identity) in identities.iter().enumerate() {
            if let Some(first) = identities[..second].iter().position(|other| other == identity) {
                let name = |r: usize| self.recipes[r].name.clone();
                return Err(Error::SameRecipe { first: name(first), second: name(second) });
            }
        }
        Ok(())
    }

    /// Refuses recipes whose folders some systems cannot make, or cannot tell apart.
    ///
    /// # Errors
    /// The first such name.
    pub fn check_folders(&self) -> Result<(), Error> {
        for (at, recipe) in self.recipes.iter().enumerate() {
            let name = recipe.name.clone();
            if is_device(&name) || name.ends_with('.') {
                return Err(Error::NoFolder { name });
            }
            let same = |other: &&Recipe| other.name.eq_ignore_ascii_case(&name);
            if let Some(other) = self.recipes[..at].iter().find(same) {
                return Err(Error::SameFolder { first: other.name.clone(), second: name });
            }
        }
        Ok(())
    }

    /// Gives the first recipe so many epochs, and the others as many as keep their ratio to it, rounded down. Recipes that a command trains
    /// stay as they are.
    ///
    /// # Errors
    /// No epochs, or so few that a recipe is left with none.
    pub fn set_epochs(&mut self, epochs: usize) -> Result<(), Error> {
        let first = self.recipes.first().map_or(1, |r| r.epochs).max(1);
        // Epochs beyond what a recipe may have are refused as they are, whatever their number.
        let own = |e: usize| usize::try_from(e as u128 * epochs as u128 / first as u128).unwrap_or(usize::MAX);
        let engine = || self.recipes.iter().filter(|r| r.trainer.is_none());
        let least = engine().min_by_key(|r| r.checkpoint()).filter(|r| own(r.checkpoint()) == 0);
        if let Some(recipe) = least {
            let (of, needed) = (recipe.checkpoint(), first.div_ceil(recipe.checkpoint().max(1)));
            return Err(Error::Epochs { epochs, recipe: recipe.name.clone(), of, first, needed });
        }
        for recipe in self.recipes.iter_mut().filter(|r| r.trainer.is_none()) {
            recipe.epochs = own(recipe.epochs);
            recipe.measured_at = recipe.measured_at.map(own);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(recipes: &[&str]) -> Study {
        let text: Vec<String> =
            recipes.iter().enumerate().map(|(k, r)| format!("[[recipe]]\nname = 'r{k}'\n{r}\n")).collect();
        Study::parse(&text.concat()).unwrap()
    }

    /// Names differ, and nothing else; every one of the differences that are left is enough.
    #[test]
    fn identical_recipes_are_both_named() {
        let same = study(&["epochs = 5", "optimizer = 'sam'", "epochs = 5\nlr = 0.05"]);
        let error = same.check_distinct().unwrap_err().to_string();
        assert!(error.contains("`r0`") && error.contains("`r2`") && error.contains("take one of them out"), "{error}");
        let mut followed = same.clone();
        followed.select(&["r0".into(), "r1".into()]).unwrap();
        followed.check_distinct().unwrap();
        for other in ["lr = 0.06", "epochs = 6", "temperature = 2", "measure_at = 3", "batch = 32", "momentum = 0.8"] {
            study(&["epochs = 5", &format!("{other}\n{}", if other.contains("epochs") { "" } else { "epochs = 5" })])
                .check_distinct()
                .unwrap();
        }
        // Earlier programs ran such studies: their folders are still read.
        Study::parse(&same.to_toml().unwrap()).unwrap();
    }

    #[test]
    fn names_that_are_no_folder_everywhere_are_refused() {
        let named = |names: &[&str]| {
            let each: Vec<String> = names.iter().map(|name| format!("[[recipe]]\nname = '{name}'\n")).collect();
            Study::parse(&each.concat()).unwrap().check_folders().map_err(|e| e.to_string())
        };
        named(&["sgd", "console", "com10", "a.b"]).unwrap();
        for name in ["con", "NUL", "aux.old", "a."] {
            assert!(named(&["sgd", name]).unwrap_err().contains(&format!("`{name}`")), "{name}");
        }
        let error = named(&["sgd", "SGD"]).unwrap_err();
        assert!(error.contains("`sgd`") && error.contains("`SGD`"), "{error}");
    }

    #[test]
    fn epochs_are_set_in_proportion_or_refused() {
        let mut three = study(&["epochs = 60", "epochs = 120", "epochs = 60\nmeasure_at = 5"]);
        let error = three.clone().set_epochs(0).unwrap_err().to_string();
        assert!(error.contains("--epochs 0") && error.contains("at least 12"), "{error}");
        let error = three.clone().set_epochs(6).unwrap_err().to_string();
        assert!(error.contains("`r2`") && error.contains("5 of 60") && error.contains("at least 12"), "{error}");
        three.set_epochs(12).unwrap();
        let found: Vec<(usize, Option<usize>)> = three.recipes.iter().map(|r| (r.epochs, r.measured_at)).collect();
        assert_eq!(found, [(12, None), (24, None), (12, Some(1))]);
        three.check().unwrap();
        let mut vast = study(&["epochs = 80"]);
        vast.set_epochs(usize::MAX).unwrap();
        assert!(vast.check().unwrap_err().to_string().contains("epochs = 18446744073709551615, but 1 to 100000"));
        let mut one = study(&["epochs = 80"]);
        assert!(one.clone().set_epochs(0).unwrap_err().to_string().contains("at least 1"));
        one.set_epochs(1).unwrap();
        assert_eq!(one.recipes[0].epochs, 1);
    }
}
