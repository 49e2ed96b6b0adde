// Package mutants seeds bugs into the ring, its readers and the estimator of
// capture times, one at a time, and shows that the tests of these packages
// catch each. It runs with
//
//	make mutants
//
// and needs some minutes, since every bug is a build and a run of its own. With
// INGESTD_MUTANTS=short it seeds every third.
package mutants
