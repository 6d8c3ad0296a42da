package analyzer

func (j *judgement) judgeLimits()   {}
func (j *judgement) stall() float64 { return 0 }
func (j *judgement) judgeScaling()  {}
func (j *judgement) derive()        {}

// judgeNoise learns the workload's noise floor and the observer effect.
func (j *judgement) judgeNoise() {}
